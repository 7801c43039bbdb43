package llm

import "testing"

func TestLoginIsChecked(t *testing.T) {
	tests := []struct{ name, request, param string }{
		{"right", `{"op":"login","login":{"username":"u","password":"p","code":"1"}}`, ""},
		{"by mail", `{"op":"login","login":{"email":"e","password":"p"}}`, ""},
		{"nothing", `{"op":"login"}`, "login.username"},
		{"no name", `{"op":"login","login":{"password":"p"}}`, "login.username"},
		{"no password", `{"op":"login","login":{"username":"u"}}`, "login.password"},
		{"of a chat", `{"op":"generate","model":"m","messages":[{"role":"user","content":"x"}],"login":{}}`, "login"},
		{"two codes", `{"op":"login","login":{"username":"u","password":"p","code":"1","recovery_code":"2"}}`, "login.recovery_code"},
	}
	for _, test := range tests {
		_, err := DecodeRequest([]byte(test.request))
		if (err == nil) != (test.param == "") || err != nil && (err.Param != test.param || err.Kind != KindConfiguration) {
			t.Errorf("%s: %+v", test.name, err)
		}
	}
}
