"""Secrets of AWS Secrets Manager, through boto3 and its own chain of credentials."""

from ..governance.policy_secrets import AwsSecrets
from .errors import AccessExpiredError, SecretMissingError, SecretStoreError

CONNECT_SECONDS = 5
READ_SECONDS = 10
TRIES = 4
_MISSING = {
    "ResourceNotFoundException": "does not exist; create it, or mend its name",
    "InvalidRequestException": "is marked for deletion; restore it",
    "InvalidParameterException": "has a name that is not valid; expected letters, digits and /_+=.@-",
    "ValidationException": "has a name that is not valid; expected letters, digits and /_+=.@-",
    "DecryptionFailure": "cannot be decrypted; let the role use its KMS key",
}
_REFUSED = {
    "AccessDeniedException": "is refused; let the role do secretsmanager:GetSecretValue on it",
    "ExpiredTokenException": "is refused, as the credentials have expired; renew them",
    "ExpiredToken": "is refused, as the credentials have expired; renew them",
    "UnrecognizedClientException": "is refused, as AWS does not know the credentials; renew them",
    "InvalidClientTokenId": "is refused, as AWS does not know the credentials; renew them",
    "InvalidSignatureException": "is refused, as the credentials do not fit together; renew them",
}


class AwsReader:
    """A client of AWS Secrets Manager with the credentials that were valid when it was made.

    Args:
        store: Region, and what the secrets' names start with.

    Raises:
        SecretMissingError: boto3 is not installed, or neither policy nor environment name a region.
    """

    def __init__(self, store: AwsSecrets) -> None:
        self.store = store
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise SecretMissingError(
                "secrets of AWS Secrets Manager need the package boto3; add it to the project"
            ) from None
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
        )
        try:
            # A session of its own, as the shared one keeps the credentials it found first.
            self.client = boto3.Session().client("secretsmanager", region_name=store.region, config=config)
        except BotoCoreError as error:
            raise SecretMissingError(
                f"secrets of AWS Secrets Manager: {type(error).__name__}; set region under secrets in policy.yaml, "
                "or AWS_REGION, and credentials as the AWS SDK finds them"
            ) from None

    def read(self, name: str) -> dict[str, str]:
        """The secret by its name.

        Raises:
            SecretMissingError: it is not there, or is no text.
            AccessExpiredError: AWS refuses the credentials.
            SecretStoreError: AWS does not answer, or fails.
        """
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        told: Exception
        try:
            answer = self.client.get_secret_value(SecretId=f"{self.store.prefix}{name}")
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "no code"))
            if code in _MISSING:
                told = SecretMissingError(f"{self._named(name)} {_MISSING[code]}")
            elif code in _REFUSED:
                told = AccessExpiredError(f"{self._named(name)} {_REFUSED[code]}")
            else:
                told = SecretStoreError(f"{self._named(name)} could not be read: {code}; tried {TRIES} times")
        except (NoCredentialsError, PartialCredentialsError):
            told = SecretMissingError(f"{self._named(name)}: the AWS SDK finds no credentials; set them as it expects")
        except BotoCoreError as error:
            told = SecretStoreError(
                f"{self._named(name)}: no answer ({type(error).__name__}); check region and network"
            )
        else:
            return {name: self._text(name, answer)}
        raise told  # raised here, so that no error of the client is its context

    def _text(self, name: str, answer: dict[str, str | bytes]) -> str:
        value = answer.get("SecretString") or answer.get("SecretBinary") or ""
        try:
            text = value.decode() if isinstance(value, bytes) else value
        except UnicodeDecodeError:
            raise SecretMissingError(f"{self._named(name)} is not text; store it as a string") from None
        if not text:
            raise SecretMissingError(f"{self._named(name)} is empty; put a value into it")
        return text

    def _named(self, name: str) -> str:
        where = f" in {self.client.meta.region_name}"
        return f"secret {self.store.prefix + name!r} of AWS Secrets Manager{where}"
