package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// The requests and the answer are those of cloud-provider-azure, pkg/credentialprovider/azure_credentials.go: a token for the audience
// from the node's identity endpoint, the registry's challenge, `/oauth2/exchange`. If any of them fails, the exit code is 1 and kubelet
// pulls without a credential.
const (
	identity   = "http://169.254.169.254/metadata/identity/oauth2/token"
	audience   = "https://containerregistry.azure.net"
	token_user = "00000000-0000-0000-0000-000000000000"
	agent      = "kubernetes-credentialprovider-acr"
	// How long kubelet keeps an answer.
	hour = "1h0m0s"
	// The emulator's word for another time, which Azure does not have.
	life = "X-Aks-Acr-Emulator-Credential-Life"
)

// What AKS writes into /etc/kubernetes/azure.json.
type azure struct {
	TenantID                    string `json:"tenantId"`
	UseManagedIdentityExtension bool   `json:"useManagedIdentityExtension"`
	UserAssignedIdentityID      string `json:"userAssignedIdentityID"`
	AADClientID                 string `json:"aadClientId"`
	AADClientSecret             string `json:"aadClientSecret"`
}

var client = http.Client{
	Timeout:       60 * time.Second,
	Transport:     &http.Transport{},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// acr-credential-provider AZURE.JSON [--keep=HOST=DURATION ...]
//
// `--keep`, which the provider of AKS does not have, sets how long kubelet keeps the credential of one registry, so that a test can see
// the end of it.
func provide(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("usage: acr-credential-provider AZURE.JSON [--keep=HOST=DURATION ...]")
	}
	data, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	var known azure
	if err := json.Unmarshal(data, &known); err != nil {
		return err
	}
	var request struct{ Image string }
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return err
	}
	host, _, _ := strings.Cut(request.Image, "/")
	user, token, keep := known.AADClientID, "", "5m0s"
	if known.UseManagedIdentityExtension {
		if token, keep, err = known.token(); err != nil {
			return err
		}
		user = token_user
	}
	for _, option := range arguments[1:] {
		name, duration, ok := strings.Cut(strings.TrimPrefix(option, "--keep="), "=")
		if !ok || !strings.HasPrefix(option, "--keep=") {
			return fmt.Errorf("unknown argument %s", option)
		}
		if name == host {
			keep = duration
		}
	}
	// A service principal's client id and secret are given as they are.
	password := known.AADClientSecret
	if known.UseManagedIdentityExtension {
		if password, err = exchange(host, token, known.TenantID); err != nil {
			return err
		}
	}
	type object = map[string]any
	return json.NewEncoder(os.Stdout).Encode(object{
		"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse",
		"cacheKeyType": "Registry", "cacheDuration": keep,
		// The empty entry adds a try without a credential.
		"auth": object{
			"*.azurecr.*": object{"username": "", "password": ""},
			host:          object{"username": user, "password": password},
		},
	})
}

// A token of the node's identity, and how long kubelet keeps what comes of it.
func (known azure) token() (string, string, error) {
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {audience}, "client_id": {known.UserAssignedIdentityID}}
	request, err := http.NewRequest(http.MethodGet, identity+"?"+query.Encode(), nil)
	if err != nil {
		return "", "", err
	}
	request.Header.Set("Metadata", "true")
	var answer struct {
		Token string `json:"access_token"`
	}
	headers, err := send(request, &answer)
	if err != nil {
		return "", "", err
	}
	keep := headers.Get(life)
	if keep == "" {
		keep = hour
	}
	return answer.Token, keep, nil
}

var parameter = regexp.MustCompile(`(\w+)="([^"]*)"`)

// Host of the realm, and service, of the one bearer challenge that a registry must answer with.
func challenge(host string) (string, string, error) {
	request, err := http.NewRequest(http.MethodGet, "https://"+host+"/v2/", nil)
	if err != nil {
		return "", "", err
	}
	request.Header.Set("User-Agent", agent)
	answer, err := client.Do(request)
	if err != nil {
		return "", "", err
	}
	defer answer.Body.Close()
	headers := answer.Header.Values("WWW-Authenticate")
	if answer.StatusCode != http.StatusUnauthorized || len(headers) != 1 || !strings.HasPrefix(strings.ToLower(headers[0]), "bearer ") {
		return "", "", fmt.Errorf("%s answered %d with %q", host, answer.StatusCode, headers)
	}
	found := map[string]string{}
	for _, one := range parameter.FindAllStringSubmatch(headers[0], -1) {
		found[strings.ToLower(one[1])] = one[2]
	}
	realm, err := url.Parse(found["realm"])
	if err != nil || realm.Host == "" || found["service"] == "" {
		return "", "", fmt.Errorf("the challenge of %s is incomplete: %q", host, headers[0])
	}
	return realm.Host, found["service"], nil
}

func exchange(host, token, tenant string) (string, error) {
	realm, service, err := challenge(host)
	if err != nil {
		return "", err
	}
	form := url.Values{
		"grant_type": {"access_token_refresh_token"}, "service": {service}, "access_token": {token}, "refresh_token": {token},
		"tenant": {tenant},
	}
	request, err := http.NewRequest(http.MethodPost, "https://"+realm+"/oauth2/exchange", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		Token string `json:"refresh_token"`
	}
	_, err = send(request, &answer)
	return answer.Token, err
}

// Sends a request that has to succeed, and reads its answer.
func send(request *http.Request, into any) (http.Header, error) {
	request.Header.Set("User-Agent", agent)
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", request.Method, request.URL.Host, answer.Status)
	}
	return answer.Header, json.Unmarshal(body, into)
}
