module aks-acr/peers/kubelet/program

go 1.24.0
