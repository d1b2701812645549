package config

import (
	"slices"
	"testing"
)

func TestCPUListsAreReadAndWrittenAsTasksetDoes(t *testing.T) {
	for text, want := range map[string]struct {
		numbers []int
		text    string
	}{
		"":              {nil, ""},
		"0":             {[]int{0}, "0"},
		"2,3":           {[]int{2, 3}, "2,3"},
		"3,2":           {[]int{2, 3}, "2,3"},
		"2-5,8":         {[]int{2, 3, 4, 5, 8}, "2-5,8"},
		"2-3":           {[]int{2, 3}, "2,3"},
		"1,1,0-2":       {[]int{0, 1, 2}, "0-2"},
		"0,2,4,5,6,9":   {[]int{0, 2, 4, 5, 6, 9}, "0,2,4-6,9"},
		"1022-1023":     {[]int{1022, 1023}, "1022,1023"},
		"0-1,3-4,10-12": {[]int{0, 1, 3, 4, 10, 11, 12}, "0,1,3,4,10-12"},
	} {
		var c CPUs
		if err := c.UnmarshalText([]byte(text)); err != nil || !slices.Equal(c.Numbers, want.numbers) || c.String() != want.text {
			t.Errorf("%q: %v, written %q, error %v; want %v, %q", text, c.Numbers, c, err, want.numbers, want.text)
		}
	}
}

func TestWhatIsNoListOfCPUsIsRefused(t *testing.T) {
	for _, text := range []string{",", "2,", ",2", "a", "-1", "1-", "-", "3-2", "1024", "0-1024", "99999999999999999999", "2 ,3", "+1", "1.5", "0x1", "1-2-3", "all"} {
		var c CPUs
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was accepted as %v", text, c.Numbers)
		}
	}
}

func TestAListOfCPUsThatIsTakenBackIsEmpty(t *testing.T) {
	c := CPUs{Numbers: []int{1}}
	if err := c.UnmarshalText(nil); err != nil || len(c.Numbers) != 0 {
		t.Errorf("%v, error %v", c.Numbers, err)
	}
}

func FuzzCPUs(f *testing.F) {
	for _, text := range []string{"", "0", "2-5,8", "1023", "3-2", ",,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var c, again CPUs
		if c.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(c.String())); err != nil || !slices.Equal(c.Numbers, again.Numbers) {
			t.Errorf("%q is written %q, which reads as %v, %v", text, c, again.Numbers, err)
		}
	})
}
