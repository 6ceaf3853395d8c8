//! Loads Terraform states into one inventory of managed resource instances.
