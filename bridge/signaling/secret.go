package signaling

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"regexp"

	"archibald-bridge/proto"
)

// How both ends prove that they have the secret, without telling it: each sends an HMAC
// (RFC 2104) over what was said. A part of this is a random number that the other end made
// for this connection.
//
//	POST /session   Authorization: ... nonce="C"             the caller's
//	401             WWW-Authenticate: ... nonce="A"          the answerer's, of this connection
//	POST /session   Authorization: ... nonce="C", proof="P"  the same offer
//	201             Authentication-Info: ... proof="Q"
//
// P is over both roles, both nonces and the offer; Q over these, the answer and the
// session's id. So neither can be altered, taken from another exchange, or sent back to
// who made it. A goodbye (DELETE) has a proof over the session's id, which is used once.
const (
	scheme   = "Archibald-HMAC-SHA256"
	headAuth = "Authorization"
	headAsk  = "WWW-Authenticate"
	headInfo = "Authentication-Info"
)

// What a proof is for, so that none serves for another.
const (
	proveOffer   = "offer"
	proveAnswer  = "answer"
	proveGoodbye = "goodbye"
)

// handshake is what both ends know of one exchange.
type handshake struct {
	secret                       []byte
	caller, answerer             proto.Role
	callersNonce, answerersNonce string
	offer                        []byte
}

func (h handshake) offerProof() string { return h.prove(proveOffer) }

func (h handshake) answerProof(answer []byte, id string) string {
	return h.prove(proveAnswer, answer, []byte(id))
}

func (h handshake) prove(purpose string, more ...[]byte) string {
	parts := [][]byte{[]byte(h.caller), []byte(h.answerer), []byte(h.callersNonce), []byte(h.answerersNonce), h.offer}
	return proof(h.secret, purpose, append(parts, more...)...)
}

// goodbyeProof belongs to the end of a session.
func goodbyeProof(secret []byte, id string) string { return proof(secret, proveGoodbye, []byte(id)) }

// proof is the HMAC over the parts, each with its length before it, so that no part can
// pass for a piece of another.
func proof(secret []byte, purpose string, parts ...[]byte) string {
	mac := hmac.New(sha256.New, secret)
	for _, part := range append([][]byte{[]byte("archibald-bridge 1 " + purpose)}, parts...) {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		mac.Write(part)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// proves compares in constant time.
func proves(got, want string) bool { return hmac.Equal([]byte(got), []byte(want)) }

// credentials is what one of the headers says; nonce and proof are "" where they are
// missing or not in hexadecimal.
type credentials struct{ nonce, proof string }

var (
	nonceIn = regexp.MustCompile(`\bnonce="([0-9a-f]{32})"`)
	proofIn = regexp.MustCompile(`\bproof="([0-9a-f]{64})"`)
)

// readCredentials reads a header. ok is false when there is none of our scheme.
func readCredentials(h http.Header, name string) (c credentials, ok bool) {
	text := h.Get(name)
	if len(text) < len(scheme) || text[:len(scheme)] != scheme {
		return c, false
	}
	for into, pattern := range map[*string]*regexp.Regexp{&c.nonce: nonceIn, &c.proof: proofIn} {
		if m := pattern.FindStringSubmatch(text); m != nil {
			*into = m[1]
		}
	}
	return c, true
}

func (c credentials) write(h http.Header, name string) {
	text := scheme
	if c.nonce != "" {
		text += ` nonce="` + c.nonce + `"`
	}
	if c.nonce != "" && c.proof != "" {
		text += ","
	}
	if c.proof != "" {
		text += ` proof="` + c.proof + `"`
	}
	h.Set(name, text)
}
