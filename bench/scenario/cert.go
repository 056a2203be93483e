package scenario

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"time"
)

// certificate is what all nodes of a grid show and trust. It is made for the run and
// handed to the other processes through their pipes.
type certificate struct {
	Cert []byte `json:"cert"` // DER
	Key  []byte `json:"key"`  // PKCS 8
}

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	c := &certificate{}
	if c.Cert, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key); err != nil {
		return nil, err
	}
	c.Key, err = x509.MarshalPKCS8PrivateKey(key)
	return c, err
}

// config is for dialling and serving; nil without a certificate.
func (c *certificate) config() (*tls.Config, error) {
	if c == nil {
		return nil, nil
	}
	leaf, err := x509.ParseCertificate(c.Cert)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(c.Key)
	if err != nil {
		return nil, err
	}
	if _, ok := key.(*ecdsa.PrivateKey); !ok {
		return nil, errors.New("the key of the certificate is not ECDSA")
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(leaf)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{c.Cert}, PrivateKey: key, Leaf: leaf}},
		RootCAs:      trusted,
		MinVersion:   tls.VersionTLS13,
	}, nil
}
