module aks-acr/emulator/agent

go 1.24.0
