"""The administrator's requests: the list, one request, choosing a peer, handing over, Today."""
