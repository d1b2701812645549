package status

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer is far above any status, so that a wrong server cannot fill memory.
const maxAnswer = 1 << 20

// Fetch asks the end that serves its status at address (HOST:PORT). It waits
// for two seconds at most.
func Fetch(ctx context.Context, address string) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/v1/status", nil)
	if err != nil {
		return Status{}, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	response, err := client.Do(request)
	if err != nil {
		return Status{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return Status{}, fmt.Errorf("%s answers %s", address, response.Status)
	}
	var s Status
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&s); err != nil {
		return Status{}, fmt.Errorf("%s does not answer with a status: %w", address, err)
	}
	if s.End == "" {
		return Status{}, fmt.Errorf("%s does not answer with a status", address)
	}
	return s, nil
}
