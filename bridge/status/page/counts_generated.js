"use strict";
// Code generated from bridge/stream/counters.go by go generate; DO NOT EDIT.

// Each row: its name, whether what is sent has it, too, and the keys of its counts.
const countRows = [
  ["packets", true, ["packets"]],
  ["lost", true, ["lost"]],
  ["late, duplicate, recovered", false, ["late","duplicate","recovered"]],
  ["concealed frames, dropouts", false, ["concealed_frames","dropouts"]],
  ["xruns", true, ["xruns"]],
];
