// Package webhooks verifies webhooks. Copy it into your receiver; it needs only the standard library.
package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// IsAuthenticStandard says whether the headers fit body, the bytes as they came, under any of the secrets. While you change
// your secret, give both, the old one and the new one.
// An old timestamp is refused: somebody may be sending again what they once overheard.
func IsAuthenticStandard(body []byte, header http.Header, secrets []string) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if age := time.Since(time.Unix(sent, 0)); err != nil || age.Abs() > 5*time.Minute {
		return false
	}
	signed := append([]byte(id+"."+timestamp+"."), body...)
	signatures := strings.Fields(header.Get("webhook-signature"))
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(signed)
		expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, given := range signatures {
			if hmac.Equal([]byte(given), []byte(expected)) {
				return true
			}
		}
	}
	return false
}
