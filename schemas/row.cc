// (row)
