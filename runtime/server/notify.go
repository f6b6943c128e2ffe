//go:build !party_host

package server

import (
	"fmt"
	"net"
	"os"
)

// notifySocket is the environment variable by which a service manager, such as systemd for a unit of Type=notify,
// names the datagram socket on which it wants to hear how the program is.
const notifySocket = "NOTIFY_SOCKET"

// notify tells the service manager that the program is in a state: "READY=1", "STOPPING=1". Without one it does nothing.
func notify(state string) error {
	name := os.Getenv(notifySocket)
	if name == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(state))
		conn.Close()
	}
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
