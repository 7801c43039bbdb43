package engine

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// loginServer is Puter's login: one account that has a second factor, one that has none.
func loginServer(t *testing.T) (url string, asked *[]string) {
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var said struct{ Username, Password, Token, Code string }
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &said)
		*asked = append(*asked, r.URL.Path+r.Header.Get("Authorization"))
		answer, status := `{"error":"Incorrect password for `+said.Password+`.","code":"password_mismatch"}`, 400
		switch {
		case r.URL.Path == "/login/otp" && said.Token == "otp-jwt-s3cr3t" && said.Code == "123456":
			answer, status = `{"proceed":true,"next_step":"complete","token":"T2","user":{"username":"careful"}}`, 200
		case r.URL.Path == "/login/otp":
			answer, status = `{"proceed":false}`, 200
		case said.Password != "right-s3cr3t":
		case said.Username == "careful":
			answer, status = `{"proceed":true,"next_step":"otp","otp_jwt_token":"otp-jwt-s3cr3t"}`, 202
		default:
			answer, status = `{"proceed":true,"token":"T1","user":{"username":"u"}}`, 200
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestLogin(t *testing.T) {
	tests := []struct {
		name, login string
		want        string // the token, or the field at fault
		asked       []string
	}{
		{"one step", `{"username":"u","password":"right-s3cr3t"}`, "T1", []string{"/login"}},
		{"one-time code", `{"username":"careful","password":"right-s3cr3t","code":"123456"}`, "T2", []string{"/login", "/login/otp"}},
		{"code missing", `{"username":"careful","password":"right-s3cr3t"}`, "login.code", []string{"/login"}},
		{"code wrong", `{"username":"careful","password":"right-s3cr3t","code":"654321"}`, "login.code", []string{"/login", "/login/otp"}},
		{"password wrong", `{"username":"u","password":"wrong-s3cr3t"}`, "", []string{"/login"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address, asked := loginServer(t)
			client := openClient(t, `{"provider":"puter","api_key":"old-token","max_retries":3,"base_url":"`+address+`"}`)
			request, failed := llm.DecodeRequest([]byte(`{"op":"login","login":` + test.login + `}`))
			if failed != nil {
				t.Fatal(failed)
			}
			into := new(recorder)
			client.Run(context.Background(), request, into)
			if !slices.Equal(*asked, test.asked) {
				t.Errorf("asked %q, expected %q", *asked, test.asked)
			}
			seen, _ := json.Marshal([]any{into.events, into.terminal})
			if strings.Contains(string(seen), "s3cr3t") {
				t.Errorf("a secret is in %s", seen)
			}
			var got string
			for _, event := range into.events {
				if login, ok := event.Data.(*llm.Login); ok {
					got = login.Token
				}
			}
			if err := into.failure(); err != nil {
				got = err.Param
				if err.Kind != llm.KindAuthentication || err.Retryable || err.Attempts != len(test.asked) || err.Provider != "puter" {
					t.Errorf("failed with %+v", err)
				}
			}
			if got != test.want || len(into.terminal) != 1 {
				t.Errorf("got %q, expected %q; %+v", got, test.want, into.terminal)
			}
		})
	}
}
