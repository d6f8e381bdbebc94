// Writes the table of `no_proxy.rs`'s test: what Go's standard library makes of each value of NO_PROXY for each host. It asks net/http
// itself, as kubectl does, in a separate process for each value, because net/http reads the variables once.
//
//	go run no_proxy.go > no_proxy.json
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
)

type testCase struct {
	NoProxy string   `json:"no_proxy"`
	Direct  []string `json:"direct"`
}

var values = []string{
	"", ",", " , ", "*", " * ", "a.example,*", "*,a.example", "*.azure.com", ".azure.com", "azure.com", "AZURE.COM", "*.AZURE.com",
	"management.azure.com", "management.azure.com:443", "management.azure.com:8443", "azure.com:443", ".azure.com:443",
	"*.azure.com:443", "*.azure.com:8443", "azure.com.", ".azure.com.", "*.azure.com.", "*azure.com", "management.*", "**.azure.com",
	"*.*.azure.com", "*:443", "*.", ".", "..", "*..azure.com", "azure.com:", "azure.com:https", ":443", "https://azure.com", "azure.com/",
	"azure.com azure.cn", "other.example azure.com", " azure.com ", "other.example, azure.com", "other.example;azure.com",
	"other.example,,azure.com", "\tazure.com\t", "com", ".com", "nagement.azure.com", "10.0.0.4", "10.0.0.4:443", "10.0.0.4:8443",
	"10.0.0.0/8", "10.0.0.0/8:443", "10.1.2.3/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8", "0.0.0.0/0", "10.0.0", "10.",
	".0.0.4", "010.0.0.4", "10.0.0.4.", "::/0", "2001:db8::/32", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443",
	"[2001:db8::1]:8443", "2001:DB8::1", "2001:db8:0:0::1", "::ffff:10.0.0.4", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::ffff:0:0/95", "[10.0.0.4]:443",
	"[azure.com]:443", "[]:443", "localhost", "127.0.0.1", "bücher.example", "*.bücher.example", ".BÜCHER.example", "xn--bcher-kva.example",
	"privatelink.eastus.azmk8s.io", "*.privatelink.eastus.azmk8s.io", ".svc,.cluster.local,10.0.0.0/8,169.254.169.254", "168.63.129.16,169.254.169.254",
	"my_host", "-", "a b", "%61zure.com", "$HOST", "azure.com\n", "\u00a0azure.com", "１０.0.0.4", "azure。com",
}

var hosts = []string{
	"management.azure.com", "azure.com", "MANAGEMENT.Azure.COM", "management.azure.com.", "notazure.com", "azure.com.example",
	"login.microsoftonline.com", "10.0.0.4", "10.200.3.4", "11.0.0.4", "[2001:db8::1]", "[2001:DB8:0::1]", "[2001:db9::1]", "[::ffff:10.0.0.4]", "[::1]", "127.0.0.1",
	"127.8.9.10", "localhost", "LOCALHOST", "api.localhost", "169.254.169.254", "bücher.example", "shop.xn--bcher-kva.example", "other.example",
	"abc.privatelink.eastus.azmk8s.io", "web.default.svc", "my_host",
}

// The ports of each host.
var ports = []int{443, 8443}

func main() {
	if len(os.Args) > 1 {
		ask()
		return
	}
	var asked []string
	for _, host := range hosts {
		for _, port := range ports {
			asked = append(asked, fmt.Sprintf("%s:%d", host, port))
		}
	}
	line, _ := json.Marshal(asked)
	fmt.Printf("{\"source\": \"net/http.ProxyFromEnvironment of %s, asked by no_proxy.go\",\n", runtime.Version())
	fmt.Printf("\"asked\": %s,\n\"cases\": [\n", line)
	for at, value := range values {
		child := exec.Command(os.Args[0], "ask")
		child.Env = []string{"HTTPS_PROXY=http://proxy.example:3128", "NO_PROXY=" + value}
		child.Stderr = os.Stderr
		out, err := child.Output()
		if err != nil {
			panic(err)
		}
		end := ","
		if at == len(values)-1 {
			end = ""
		}
		fmt.Printf("%s%s\n", bytes.TrimSpace(out), end)
	}
	fmt.Println("]}")
}

func ask() {
	found := testCase{os.Getenv("NO_PROXY"), []string{}}
	for _, host := range hosts {
		for _, port := range ports {
			address := "https://" + host + "/"
			if port != 443 {
				address = fmt.Sprintf("https://%s:%d/", host, port)
			}
			request, err := http.NewRequest("GET", address, nil)
			if err != nil {
				panic(err)
			}
			proxy, err := http.ProxyFromEnvironment(request)
			if err != nil {
				panic(err)
			}
			if proxy == nil {
				found.Direct = append(found.Direct, fmt.Sprintf("%s:%d", host, port))
			}
		}
	}
	line, _ := json.Marshal(found)
	fmt.Println(string(line))
}
