// Package signaling brings two ends of a bridge into one session and keeps them
// there: an HTTP exchange of SDP offer and answer on TCP port 4713, started by
// either end, repeated forever.
//
//	POST   /session       an SDP offer; 201 with the answer and a Location
//	GET    /session/{id}  200 while that session is up, else 404
//	DELETE /session/{id}  hangs up, 204
//	GET    /healthz       200
//
// A refusal is one line of plain text. 409 says that the two ends cannot work
// together as they are, or not now; 503 that the audio server is not up; 401 and
// 403 that a secret is not proved.
//
// # Who is answered
//
// A Gate names the networks that may call; everybody else but the peer finds the
// connection closed. With a secret everybody may connect, and has to prove it
// (secret.go). Connections are few, and those that are held open are given up for
// new ones (door.go).
//
// # How both ends stay of one mind
//
// Each of two ends may call the other at the same moment. Then the lower SSRC
// wins: while its offer is under way it refuses the other's ("glare"), and the
// other accepts. Every description carries a revision number that grows, so
// that two messages that overtook each other are told apart:
//
//   - an offer that its maker sent before it agreed to the present session is
//     refused as glare, too;
//   - an answer that its maker gave before it made the offer that was accepted
//     meanwhile is ignored.
//
// So both ends keep the session on which they agreed last.
//
// An offer from the peer of the present session replaces that session: it has the
// same name and, while media flow, knows the session's id or proves the secret. An
// offer from anybody else is refused while a session is up.
package signaling
