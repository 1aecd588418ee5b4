package servicenow

import (
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// NewTokenSource returns a credential of OAuth tokens that the instance itself gives
// out, at /oauth_token.do, by any of the grants of [resilience.TokenSourceConfig], of
// which Provider and TokenURL are set here. The grant client_credentials is off as
// delivered (property glide.oauth.inbound.client.credential.grant_type.enabled). A
// refused token is replaced once for all requests that wait for it.
//
// Other credentials are [resilience.Basic], [resilience.Bearer] and [APIKey];
// certificates of clients belong to [Config].Transport.
func NewTokenSource(baseURL string, c resilience.TokenSourceConfig) (*resilience.TokenSource, error) {
	c.Provider, c.TokenURL = provider, strings.TrimSuffix(baseURL, "/")+"/oauth_token.do"
	return resilience.NewTokenSource(c)
}

// APIKey returns a credential of a key of the REST API.
func APIKey(key adapters.Secret) resilience.Credential {
	return resilience.Header("x-sn-apikey", key)
}
