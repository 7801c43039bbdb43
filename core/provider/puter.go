package provider

import (
	"encoding/json"
	"strings"

	"pyagent/core/llm"
)

// puter is the driver protocol of Puter: https://github.com/HeyPuter/puter, whose server is the documentation. One route
// serves every driver; what is asked of it stands in an envelope.
type puter struct{}

func (puter) Framing() Framing { return Lines }

// Encode builds a request of the call's operation.
func (puter) Encode(call Call) (*HTTPRequest, []string, *llm.Error) {
	switch call.Request.Op {
	case llm.OpGenerate, llm.OpStream:
		return encodePuterChat(call)
	case llm.OpModels: // without a key, if there is none
		request, err := httpRequest(withoutKey(call, call.APIKey), "GET",
			firstWord(call.Row.ModelsPath, "/puterai/chat/models/details"), nil)
		return request, nil, err
	case llm.OpLogin:
		request, err := encodePuterLogin(call)
		return request, nil, err
	}
	return nil, nil, refuseOperation(call)
}

// NewDecoder returns a decoder for the answer to the call's operation.
func (puter) NewDecoder(call Call) Decoder {
	switch call.Request.Op {
	case llm.OpModels:
		return &wholeDecoder{call: call, read: readPuterModels}
	case llm.OpLogin:
		return &wholeDecoder{call: call, read: readPuterLogin}
	}
	return newPuterDecoder(call)
}

// DecodeError reads a non-2xx answer. The statuses of a refused login say little: a wrong password is a 400, an unknown name
// a 404.
func (puter) DecodeError(call Call, status int, header map[string]string, body []byte) *llm.VendorError {
	found := reported{}.DecodeError(call, status, header, body)
	if call.Request.Op == llm.OpLogin && (status == 400 || status == 401 || status == 404) {
		found.Type = "login_refused"
	}
	return found
}

// withoutKey is the call with another key, and with no need of one.
func withoutKey(call Call, key string) Call {
	row := *call.Row
	row.KeyOptional = true
	call.Row, call.APIKey = &row, key
	return call
}

// encodePuterLogin asks for a token. A login that is asked for a one-time code goes on to a second request, whose page is the
// token that the first answer gave for it.
func encodePuterLogin(call Call) (*HTTPRequest, *llm.Error) {
	login := call.Request.Login
	base := call.BaseURL
	switch {
	case login.URL != "":
		base = login.URL
	case base == "" || base == call.Row.BaseURL: // a password must not leave for a place that the user did not choose
		base = firstWord(call.Row.LoginURL, call.Row.BaseURL)
	}
	call.BaseURL = strings.TrimSuffix(strings.TrimRight(base, "/"), "/login")
	path, body := "/login", newObject(nil)
	switch {
	case call.Page == "":
		if login.Username != "" {
			body.text("username", login.Username)
		} else {
			body.text("email", login.Email)
		}
		body.text("password", login.Password)
	case login.RecoveryCode != "":
		path = "/login/recovery-code"
		body.text("token", call.Page)
		body.text("code", login.RecoveryCode)
	default:
		path = "/login/otp"
		body.text("token", call.Page)
		body.text("code", login.Code)
	}
	return httpRequest(withoutKey(call, ""), "POST", path, body.end())
}

// readPuterLogin reads the answer to a login. "proceed" says that the name and password are right; only "token" that the
// login is over.
func readPuterLogin(d *wholeDecoder, body []byte) error {
	var token, otp, next, username string
	proceed := false
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "proceed":
			proceed = string(value) == "true"
		case "token":
			readText(&token, value)
		case "otp_jwt_token":
			readText(&otp, value)
		case "next_step":
			readText(&next, value)
		case "user":
			llm.Members(value, func(key, value []byte) {
				if string(key) == "username" {
					readText(&username, value)
				}
			})
		}
	})
	login := d.call.Request.Login
	switch {
	case proceed && token != "":
		d.emit(llm.Event{Kind: llm.EventItem, Data: &llm.Login{Token: token, Username: firstWord(username, login.Username)}})
		return nil
	case proceed && otp != "" && d.call.Page == "" && login.Code == "" && login.RecoveryCode == "":
		return loginError(d.call, "login.code",
			"the account asks for a one-time code; log in again with login.code, or with login.recovery_code")
	case proceed && otp != "" && d.call.Page == "":
		d.finish.NextPage = otp
		return nil
	case proceed:
		return loginError(d.call, "login", "the server wants another step (%q) before it gives a token; log in with a browser once", next)
	case d.call.Page != "":
		return loginError(d.call, "login.code", "the one-time code or recovery code is wrong, or too old")
	}
	return loginError(d.call, "login.password", "the username or the password is wrong")
}

func loginError(call Call, param, format string, args ...any) *llm.Error {
	err := llm.Errorf(llm.KindAuthentication, format, args...)
	err.Param, err.Provider = param, call.Row.Name
	return err
}

// readPuterModels reads the list of models: objects, or of the shorter route only their ids.
func readPuterModels(d *wholeDecoder, body []byte) error {
	return readList(d, body, func(value []byte) *llm.Model {
		if quoted(value) {
			return &llm.Model{ID: llm.Unquote(value)}
		}
		return readPuterModel(value)
	})
}

func readPuterModel(data []byte) *llm.Model {
	model := new(llm.Model)
	features := featureSet{}
	var context, most loose
	var costs []byte
	var currency, inputKey, outputKey string
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "id":
			readText(&model.ID, value)
		case "name":
			readText(&model.Name, value)
		case "provider":
			readText(&model.Owner, value)
		case "aliases":
			llm.Elements(value, func(value []byte) {
				if alias := llm.Unquote(value); alias != "" {
					model.Aliases = append(model.Aliases, alias)
				}
			})
		case "context":
			context.read(value)
		case "max_tokens":
			most.read(value)
		case "tool_call":
			features.add("tools", string(value) == "true")
		case "modalities":
			var said struct{ Input, Output []string }
			json.Unmarshal(value, &said) // of another type: nothing is known
			features.takes(said.Input)
			features.makes(said.Output)
		case "costs_currency":
			readText(&currency, value)
		case "costs":
			costs = value
		case "input_cost_key":
			readText(&inputKey, value)
		case "output_cost_key":
			readText(&outputKey, value)
		}
	})
	model.Capabilities = features.list()
	model.ContextTokens, model.OutputTokens = firstCount(context), firstCount(most)
	if currency == "usd-cents" {
		prices := readCosts(costs)
		model.InputPrice = prices.first(inputKey, "prompt_tokens", "input_tokens", "input")
		model.OutputPrice = prices.first(outputKey, "completion_tokens", "output_tokens", "output")
		model.CachedPrice = prices.first("cached_tokens", "cache_read_input_tokens")
	}
	return model
}

// puterPrices are dollars for each token, by the kind of token.
type puterPrices map[string]float64

// readCosts reads prices, which are given in cents for a number of tokens.
func readCosts(data []byte) puterPrices {
	var tokens loose
	cents := map[string]loose{}
	llm.Members(data, func(key, value []byte) {
		var price loose
		if price.read(value); string(key) == "tokens" {
			tokens = price
		} else if price.set {
			cents[string(key)] = price
		}
	})
	prices := puterPrices{}
	for name, price := range cents {
		if tokens.set && tokens.number > 0 {
			prices[name] = price.number / 100 / tokens.number
		}
	}
	return prices
}

func (p puterPrices) first(names ...string) *float64 {
	for _, name := range names {
		if price, ok := p[name]; ok {
			return &price
		}
	}
	return nil
}
