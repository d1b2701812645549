package status

import "fmt"

// Reason is one count of Rejected by its name.
type Reason struct {
	Name  string // as in JSON
	Words string
	Count uint64
}

// Sum is how many were rejected in all.
func (r Rejected) Sum() (sum uint64) {
	for _, reason := range r.Reasons() {
		sum += reason.Count
	}
	return sum
}

// countRow is a row of the text: its name, whether what is sent has it, too, the value of
// Session.Locked that it is for ("": any), and its counts.
type countRow struct {
	name   string
	send   bool
	locked string
	values func(Counts) []uint64
}

// text is the counts of the row, separated by commas.
func (r countRow) text(c Counts) (text string) {
	for i, value := range r.values(c) {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(value)
	}
	return text
}
