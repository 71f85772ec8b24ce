import { servedChannels } from "../src/config/rules.js";
import type { ServerConfig } from "../src/config/server.js";
import type { WorkerConfig } from "../src/config/worker.js";
import { SENDERS, type SenderName } from "../src/delivery/senders/registry.js";
import type { Keyring } from "../src/otp/crypto/keyring.js";
import { Fleet } from "../src/otp/fleet/differences.js";

type Shared = "OTP_LENGTH" | "OTP_TTL_SECONDS" | "EMAIL_SENDERS" | "SMS_SENDERS";

/** The fleet as this server sees it. It accepts the receipts of each sender that it lists. */
export function fleetOfServer(config: Pick<ServerConfig, Shared>, keyring: Keyring): Fleet {
  return fleetOf("server", config, sendersOf(config), keyring);
}

/** The fleet as this worker sees it. It asks for receipts if it knows where they go to. */
export function fleetOfWorker(config: Pick<WorkerConfig, Shared | "PUBLIC_URL">, keyring: Keyring): Fleet {
  const reporting = sendersOf(config).filter((name) => SENDERS[name].receipts !== undefined);
  return fleetOf("worker", config, config.PUBLIC_URL === undefined ? [] : reporting, keyring);
}

function fleetOf(
  kind: "server" | "worker",
  config: Pick<ServerConfig, Shared>,
  receipts: readonly SenderName[],
  keyring: Keyring,
): Fleet {
  const { OTP_LENGTH: codeLength, OTP_TTL_SECONDS: lifeSeconds } = config;
  const senders = new Map(Object.entries(SENDERS).map(([name, { channel }]) => [name, channel]));
  const own = { kind, codeLength, lifeSeconds, channels: servedChannels(config), receipts };
  return new Fleet({ keyring, own, senders });
}

function sendersOf({ EMAIL_SENDERS, SMS_SENDERS }: Pick<ServerConfig, Shared>): readonly SenderName[] {
  return [...EMAIL_SENDERS, ...SMS_SENDERS];
}
