"""The local cloud: starts an emulator, deploys the template to it, finds its logs, stops it."""
