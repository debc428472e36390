"""The authorizer by network, for clients that can neither sign a request nor send a token."""
