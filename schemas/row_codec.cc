// (row codec)
