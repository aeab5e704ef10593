module tenon_net_go

go 1.26
