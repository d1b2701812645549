module archibald-bridge

go 1.24.0

require (
	github.com/alecthomas/kong v1.17.0 // indirect
	github.com/godbus/dbus/v5 v5.2.4
	github.com/pelletier/go-toml/v2 v2.4.3 // indirect
	github.com/pion/randutil v0.1.0 // indirect
	github.com/pion/rtcp v1.2.20 // indirect
	github.com/pion/rtp v1.10.6 // indirect
	github.com/pion/sdp/v3 v3.0.20 // indirect
	github.com/xthexder/go-jack v0.0.0-20220805234212-bc8604043aba
	golang.org/x/sys v0.38.0 // indirect
	gonum.org/v1/gonum v0.16.0 // indirect
)
