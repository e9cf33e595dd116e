//! A token bound to the certificate of a connection for one bound to the phone's key: it opens nothing longer than that one would.

use base::{Result, Time};

use super::{Admitted, Devices};
use crate::errors;
use crate::token::{self, Claims, Confirmation};

impl Devices {
    /// A token for this phone that only counts with this certificate (DER); it ends when the one it was admitted with ends.
    ///
    /// # Errors
    /// `Unauthenticated` without a certificate; the key store's.
    pub(crate) async fn bind(&self, admitted: &Admitted, certificate: Option<&[u8]>) -> Result<(String, Time)> {
        let certificate = certificate.ok_or_else(errors::no_certificate)?;
        let (config, device, now) = (self.config(), &admitted.phone.device, self.now());
        let claims = Claims {
            iss: config.issuer.clone(),
            aud: config.audience.clone(),
            sub: device.id,
            client_id: device.id,
            tenant: admitted.named.tenant,
            user_id: device.user_id,
            roles: vec![base::Role::Device],
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: admitted.expires_at.seconds(),
            jti: self.backends().ids.next::<Claims>().to_string(),
            cnf: Confirmation { certificate: Some(token::certificate_thumbprint(certificate)), ..Confirmation::default() },
            generation: admitted.named.generation,
        };
        Ok((token::access(&self.backends().keys, &claims).await?, admitted.expires_at))
    }
}
