"use strict";
// Code generated from bridge/stream/counters.go by go generate; DO NOT EDIT.

// Each row: its name, whether what is sent has it, too, the keys of its counts, and the part
// of an end in a session that it is for.
const countRows = [
  ["packets", true, ["packets"], ""],
  ["lost", true, ["lost"], ""],
  ["late, duplicate, recovered", false, ["late","duplicate","recovered"], ""],
  ["concealed frames, dropouts", false, ["concealed_frames","dropouts"], ""],
  ["xruns", true, ["xruns"], ""],
  ["waited, unanswered, left out", false, ["waited","unanswered","left_out"], "leads"],
  ["made up, takeovers, given up", false, ["made_up","takeovers","given_up"], "follows"],
];

// Why datagrams were rejected, in words.
const rejectedWords = {
  kernel: "not the peer's, by the kernel's filter",
  source: "from another address",
  ssrc: "with another SSRC",
  payload_type: "with another payload type",
  malformed: "malformed",
  outside: "far outside the stream",
  rtcp: "RTCP of others or too much",
};
