package llm

// Credentials are what OpLogin sends to a vendor that gives out its tokens for a name and a password.
type Credentials struct {
	Username     string `json:"username,omitempty"`
	Email        string `json:"email,omitempty"` // in place of the username
	Password     string `json:"password,omitempty"`
	Code         string `json:"code,omitempty"`          // the one-time code, for accounts that are asked for one
	RecoveryCode string `json:"recovery_code,omitempty"` // in place of the one-time code
	URL          string `json:"url,omitempty"`           // where to log in; default: the vendor's own place
}

func (c *Credentials) check() *Error {
	switch {
	case c == nil || c.Username == "" && c.Email == "":
		return Configuration("login.username", "login has no username; give {\"username\": ..., \"password\": ...}")
	case c.Password == "":
		return Configuration("login.password", "login has no password; give {\"username\": ..., \"password\": ...}")
	case c.Code != "" && c.RecoveryCode != "":
		return Configuration("login.recovery_code", "login has both code and recovery_code; give one of them")
	}
	return nil
}

// Secrets are the parts that must not be shown.
func (c *Credentials) Secrets() []string {
	if c == nil {
		return nil
	}
	return []string{c.Password, c.Code, c.RecoveryCode}
}

// Login is what a vendor gives for credentials.
type Login struct {
	Token    string `json:"token"` // to be used as the API key
	Username string `json:"username,omitempty"`
}
