package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// Where the emulator listens. A socket with a path is the same in each namespace of the network.
const sockets = "/run/emulator/"

type forward struct {
	Network, Listen, Socket string
}

func (one forward) listen() error {
	if one.Network == "udp" {
		connection, err := net.ListenPacket("udp", one.Listen)
		if err != nil {
			return err
		}
		go datagrams(connection, one.Socket)
		return nil
	}
	listener, err := net.Listen(one.Network, one.Listen)
	if err != nil {
		return err
	}
	go accept(listener, func(connection net.Conn) {
		onward, err := net.Dial("unix", sockets+one.Socket)
		if err != nil {
			return
		}
		join(connection, onward)
	})
	return nil
}

func accept(listener net.Listener, serve func(net.Conn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			// Out of file handles, most likely: it gets better when connections end.
			time.Sleep(20 * time.Millisecond)
			continue
		}
		go func() {
			defer connection.Close()
			serve(connection)
		}()
	}
}

type half interface{ CloseWrite() error }

// Passes on what comes on either side until both have ended.
func join(one, other net.Conn) {
	defer other.Close()
	done := make(chan struct{})
	pass := func(to, from net.Conn) {
		_, err := io.Copy(to, from)
		if closing, ok := to.(half); ok && err == nil {
			_ = closing.CloseWrite()
		} else {
			_ = to.Close()
		}
		done <- struct{}{}
	}
	go pass(one, other)
	go pass(other, one)
	<-done
	<-done
}

// Each datagram is a message of its own connection, with its length before it, as DNS has it on TCP.
func datagrams(connection net.PacketConn, socket string) {
	buffer := make([]byte, 4096)
	for {
		size, sender, err := connection.ReadFrom(buffer)
		if err != nil {
			continue
		}
		message := binary.BigEndian.AppendUint16(nil, uint16(size))
		message = append(message, buffer[:size]...)
		go func() {
			onward, err := net.Dial("unix", sockets+socket)
			if err != nil {
				return
			}
			defer onward.Close()
			_ = onward.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := onward.Write(message); err != nil {
				return
			}
			var length uint16
			if binary.Read(onward, binary.BigEndian, &length) != nil {
				return
			}
			answer := make([]byte, length)
			if _, err := io.ReadFull(onward, answer); err == nil {
				_, _ = connection.WriteTo(answer, sender)
			}
		}()
	}
}

// The way from outside: a connection says in its first line where it wants to go.
func dial() error {
	listener, err := net.Listen("unix", sockets+"d")
	if err != nil {
		return err
	}
	if err := os.Chmod(sockets+"d", 0o600); err != nil {
		return err
	}
	go accept(listener, func(connection net.Conn) {
		reader := bufio.NewReader(connection)
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		onward, err := net.DialTimeout("tcp", strings.TrimSpace(line), 10*time.Second)
		if err != nil {
			_, _ = io.WriteString(connection, "error "+err.Error()+"\n")
			return
		}
		if _, err := io.WriteString(connection, "ok\n"); err != nil {
			return
		}
		rest, _ := reader.Peek(reader.Buffered())
		if _, err := onward.Write(rest); err != nil {
			return
		}
		join(connection, onward)
	})
	return nil
}
