-- Makes a connection plan its statements anew: a plan made while tables were small walks a whole tenant once they have grown, until
-- statistics come.
-- users: server
DISCARD PLANS
