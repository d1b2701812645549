// Package status is what a running end tells about itself: the model, its JSON
// form, the small web server that serves it, and the table that the command
// "status" prints.
//
// The JSON keeps its meaning from version to version: fields are added, never
// renamed or removed. Every field is always present.
package status
