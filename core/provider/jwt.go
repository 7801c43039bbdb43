package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// tokenLife is how long a token made from a key is valid. Repetitions of a call send the token again.
const tokenLife = time.Hour

// keyToken makes the bearer token of a key of the form id.secret, which itself is not sent then: a JSON Web Token (RFC 7519)
// with the claims that Zhipu documents, whose times are milliseconds (https://docs.bigmodel.cn/cn/api/introduction). A key
// of another form is its own token.
func keyToken(key string, now time.Time) string {
	id, secret, ok := strings.Cut(key, ".")
	if !ok || id == "" || secret == "" || strings.Contains(secret, ".") {
		return key
	}
	claims := newObject(nil)
	claims.text("api_key", id)
	claims.raw("exp", strconv.AppendInt(nil, now.Add(tokenLife).UnixMilli(), 10))
	claims.raw("timestamp", strconv.AppendInt(nil, now.UnixMilli(), 10))
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","sign_type":"SIGN"}`)) + "." + encode(claims.end())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
