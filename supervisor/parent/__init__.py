"""The supervising process: its loop, children and sockets. It never imports garcon or boto3."""
