package cli

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const spoken = 20000 // lines, of some 100 bytes: a pipe holds 64 KiB

// talk says more than a pipe and the queue hold, and then one line every 10 ms, until
// the program ends.
func talk(log *slog.Logger) {
	for i := range spoken {
		log.Info("talking", "line", i, "padding", strings.Repeat("x", 40))
	}
	fmt.Println("said all")
	go func() {
		for {
			time.Sleep(10 * time.Millisecond)
			log.Info("whispering")
		}
	}()
}

func endsWell(t *testing.T, c *exec.Cmd, lines *bufio.Scanner) {
	t.Helper()
	time.Sleep(100 * time.Millisecond) // it goes on whispering
	signalTo(t, c, syscall.SIGTERM)
	began := time.Now()
	waitFor(t, lines, "stopping")
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to end", took)
	}
}

// A terminal that was closed, a journal that died, a full disk, a stopped pager: the
// sound goes on, and the end is in good order.
func TestALogThatCannotBeWrittenStopsNothing(t *testing.T) {
	for name, stderr := range map[string]func() *os.File{
		"its reader is gone": func() *os.File {
			read, write := pipe(t)
			_ = read.Close()
			return write
		},
		"the disk is full": func() *os.File {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			return full
		},
		"nobody reads": func() *os.File {
			read, write := pipe(t)
			t.Cleanup(func() { _ = read.Close() })
			return write
		},
	} {
		t.Run(name, func(t *testing.T) {
			command := exec.Command(os.Args[0], "guest")
			to := stderr()
			command.Stderr = to
			c, lines := startCommand(t, "talks", command)
			_ = to.Close()
			waitFor(t, lines, "said all")
			endsWell(t, c, lines)
		})
	}
}

func TestStandardOutputWithoutAReaderStopsNothingEither(t *testing.T) {
	read, write := pipe(t)
	c := exec.Command(os.Args[0], "guest")
	c.Env = append(os.Environ(), childVariable+"=good")
	c.Stdout = write
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	waitFor(t, bufio.NewScanner(read), "ready")
	_ = write.Close()
	_ = read.Close()
	signalTo(t, c, syscall.SIGTERM) // it says "stopping" to nobody
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestWhenTheLogIsReadAgainItSaysHowManyLinesAreLost(t *testing.T) {
	read, write := pipe(t)
	command := exec.Command(os.Args[0], "guest")
	command.Stderr = write
	c, lines := startCommand(t, "talks", command)
	_ = write.Close()
	waitFor(t, lines, "said all")

	lost, talked := 0, 0
	note := regexp.MustCompile(`level=WARN msg="lines of this log are lost: it could not be written for a while" lines=(\d+)`)
	log := bufio.NewScanner(read)
	for log.Scan() {
		if found := note.FindStringSubmatch(log.Text()); found != nil {
			n, _ := strconv.Atoi(found[1])
			lost += n
		} else if strings.Contains(log.Text(), "talking") {
			talked++
		} else if strings.Contains(log.Text(), "whispering") && lost > 0 {
			break
		}
	}
	// Whispers may be lost, too.
	if talked+lost < spoken || talked+lost > spoken+500 || talked < queuedLines {
		t.Errorf("%d lines came and %d are said to be lost, of %d", talked, lost, spoken)
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	endsWell(t, c, lines)
}

// The line that says why it fails is not read, either.
func TestAProgramThatFailsEndsWhereNobodyReads(t *testing.T) {
	read, write := pipe(t)
	defer read.Close()
	fd := int(write.Fd())
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for err := error(nil); err == nil; { // until it is full
		_, err = syscall.Write(fd, make([]byte, 1))
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], "guest")
	command.Stderr = write
	c, lines := startCommand(t, "fails", command)
	_ = write.Close()
	signalTo(t, c, syscall.SIGTERM)
	waitFor(t, lines, "stopping")
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	select {
	case <-ended:
		if code := c.ProcessState.ExitCode(); code != exitFailed {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Error("it hangs at its last line")
	}
}

func pipe(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return read, write
}
