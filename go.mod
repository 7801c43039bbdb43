module pyagent

go 1.26
