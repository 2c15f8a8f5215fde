"""What puts the dashboard's files where the edge reads them; uploaded together with the files."""
