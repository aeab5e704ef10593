module tenon/cross

go 1.23
