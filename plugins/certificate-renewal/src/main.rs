//! The `farmops-plugin-certificate-renewal` program.

use farmops_plugin_certificate_renewal::CertificateRenewal;

fn main() -> anyhow::Result<()> {
    Ok(farmops_plugin::serve(CertificateRenewal::default())?)
}
