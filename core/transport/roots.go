package transport

import (
	"crypto/x509"
	"os"
	"path/filepath"

	"pyagent/core/llm"
)

// roots returns the certificate authorities to trust: the platform's, with those of ca_file, SSL_CERT_FILE and SSL_CERT_DIR
// added. nil, which is the platform's store loaded at the first handshake, where nothing is to be added.
func roots(network llm.Network) (*x509.CertPool, *llm.Error) {
	type source struct{ option, path string }
	var files []source
	if network.CAFile != "" {
		files = append(files, source{"ca_file", network.CAFile})
	}
	if path := network.Environment["SSL_CERT_FILE"]; path != "" {
		files = append(files, source{"SSL_CERT_FILE", path})
	}
	for _, folder := range filepath.SplitList(network.Environment["SSL_CERT_DIR"]) {
		entries, _ := os.ReadDir(folder) // like OpenSSL, a folder that is not there is skipped
		for _, entry := range entries {
			files = append(files, source{"SSL_CERT_DIR", filepath.Join(folder, entry.Name())})
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	pool, failure := x509.SystemCertPool()
	if failure != nil {
		pool = x509.NewCertPool()
	}
	for _, file := range files {
		pem, failure := os.ReadFile(file.path)
		if file.option == "SSL_CERT_DIR" {
			pool.AppendCertsFromPEM(pem)
			continue
		}
		if failure != nil {
			return nil, llm.Configuration(file.option, "%s %q cannot be read: %s", file.option, file.path, failure)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, llm.Configuration(file.option, "%s %q holds no PEM certificate", file.option, file.path)
		}
	}
	return pool, nil
}
