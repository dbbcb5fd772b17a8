//! Devices from outside: the HTTP client, the demo, and the end-to-end tests.
