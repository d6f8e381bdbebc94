package main

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Makes an address at which connections are neither accepted nor refused: a socket whose queue is full.
func silence(place string) error {
	if place == "" {
		return nil
	}
	address, err := netip.ParseAddrPort(place)
	if err != nil {
		return err
	}
	bound := &syscall.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}
	listener, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := syscall.Bind(listener, bound); err != nil {
		return fmt.Errorf("cannot listen on %s: %w", place, err)
	}
	if err := syscall.Listen(listener, 0); err != nil {
		return err
	}
	for range 4 {
		waiting, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		if err := syscall.Connect(waiting, bound); err != nil && err != syscall.EINPROGRESS {
			return err
		}
	}
	return nil
}
