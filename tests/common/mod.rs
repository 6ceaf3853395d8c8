//! What several tests share.

pub mod s3;
