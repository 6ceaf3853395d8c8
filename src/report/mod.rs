//! Renders what a scan found; one file per format, knowing [`crate::drift::model`] alone.
