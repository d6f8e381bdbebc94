//! aks-acr
