package transport

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"

	"pyagent/core/llm"
)

// authority is a file with certificates to trust, and the option that named it.
type authority struct{ option, path string }

func authorities(network llm.Network) []authority {
	var files []authority
	if network.CAFile != "" {
		files = append(files, authority{"ca_file", network.CAFile})
	}
	if path := network.Environment["SSL_CERT_FILE"]; path != "" {
		files = append(files, authority{"SSL_CERT_FILE", path})
	}
	return files
}

// checkRoots finds out cheaply whether roots will work: a file that cannot be read is an error when the client is opened, but
// the hundred authorities of a whole store are only parsed when a server wants to be checked against them.
func checkRoots(network llm.Network) *llm.Error {
	for _, file := range authorities(network) {
		pem, failure := os.ReadFile(file.path)
		if failure != nil {
			return llm.Configuration(file.option, "%s %q cannot be read: %s", file.option, file.path, failure)
		}
		if !bytes.Contains(pem, []byte("-----BEGIN CERTIFICATE-----")) {
			return llm.Configuration(file.option, "%s %q holds no PEM certificate", file.option, file.path)
		}
	}
	return nil
}

// roots returns the certificate authorities to trust: the platform's, with those of ca_file, SSL_CERT_FILE and SSL_CERT_DIR
// added. nil, which is the platform's store, where nothing is to be added.
func roots(network llm.Network) (*x509.CertPool, *llm.Error) {
	files := authorities(network)
	folders := filepath.SplitList(network.Environment["SSL_CERT_DIR"])
	if len(files)+len(folders) == 0 {
		return nil, nil
	}
	pool, failure := x509.SystemCertPool()
	if failure != nil {
		pool = x509.NewCertPool()
	}
	for _, file := range files {
		pem, failure := os.ReadFile(file.path)
		if failure != nil || !pool.AppendCertsFromPEM(pem) {
			return nil, llm.Configuration(file.option, "%s %q holds no certificate that can be used", file.option, file.path)
		}
	}
	for _, folder := range folders {
		entries, _ := os.ReadDir(folder) // like OpenSSL, what is not there or no certificate is skipped
		for _, entry := range entries {
			pem, _ := os.ReadFile(filepath.Join(folder, entry.Name()))
			pool.AppendCertsFromPEM(pem)
		}
	}
	return pool, nil
}
