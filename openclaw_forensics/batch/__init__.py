"""A folder of log exports: analysed per platform and shop, with an index page and one report per incident."""
