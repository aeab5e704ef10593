module tenon_peer_go

go 1.26
