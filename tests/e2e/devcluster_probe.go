// Command probe does in a pod what a node must make possible, and says how it went.
// The test of the devcluster builds it; it needs the standard library alone.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	folder := flag.String("write", "", "folder to write a file into")
	name := flag.String("resolve", "", "name to look up")
	url := flag.String("get", "", "page that must answer, whatever its status")
	serve := flag.String("serve", "", "address to answer requests on, for ever")
	flag.Parse()
	if *folder != "" {
		write(*folder)
	}
	if *name != "" {
		addresses, err := net.LookupHost(*name)
		check(err)
		fmt.Printf("resolved %s %v\n", *name, addresses)
	}
	if *url != "" {
		get(*url)
	}
	if *serve != "" {
		check(http.ListenAndServe(*serve, http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(answer, "hello from", os.Getenv("HOSTNAME"))
		})))
	}
	check(os.WriteFile("/dev/termination-log", []byte("all is well"), 0o644))
}

func write(folder string) {
	path := filepath.Join(folder, "probe")
	check(os.WriteFile(path, []byte("written"), 0o644))
	info, err := os.Stat(path)
	check(err)
	owner := info.Sys().(*syscall.Stat_t)
	fmt.Printf("wrote as %d:%d\n", owner.Uid, owner.Gid)
}

func get(url string) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	check(err)
	fmt.Printf("got %d\n", answer.StatusCode)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
