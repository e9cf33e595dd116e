//! What a real scan of a real listener brings, through the jobs.
