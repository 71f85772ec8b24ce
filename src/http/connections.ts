import { readFileSync } from "node:fs";
import type { Socket } from "node:net";

/** Descriptors for everything but clients: Redis, DNS, files, and what the process itself needs. */
const MOST_RESERVED = 512;
const LEAST_RESERVED = 64;
const RESERVED_SHARE = 1 / 4;

/** Where no limit can be read, that of the operating systems with the lowest default. */
const FALLBACK_DESCRIPTORS = 256;

/**
 * The connections from clients that leave this process enough file descriptors for everything else. Without a descriptor, it could
 * neither reach Redis again nor ask DNS.
 */
export function affordableConnections(descriptors: number = descriptorLimit()): number {
  const reserved = Math.max(LEAST_RESERVED, Math.min(MOST_RESERVED, Math.floor(descriptors * RESERVED_SHARE)));
  return Math.max(1, descriptors - reserved);
}

/** The soft limit. Node.js has raised it to the hard one, so it differs from what a shell reports. */
function descriptorLimit(): number {
  const limit = readLimit();
  return limit === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(limit) || FALLBACK_DESCRIPTORS;
}

function readLimit(): string | undefined {
  try {
    return /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  } catch {
    return findUserLimit(process.report.getReport()); // not Linux
  }
}

function findUserLimit(report: object): string | undefined {
  return /"open_files":\{"soft":"?(\w+)/.exec(JSON.stringify(report))?.[1];
}

/** Whose connection it is. */
export interface ConnectionOwner {
  readonly client: string;
  /** Whether its connections carry the calls of many clients, so that it may have any number of them. */
  readonly isProxy: boolean;
}

/**
 * The open connections of this process, on all listeners. No client may have more than its share, and when all places are taken, the
 * client with the most connections loses one to a client with fewer.
 */
export class Connections {
  private readonly byClient = new Map<string, Set<Socket>>();
  private readonly ofProxies = new Set<Set<Socket>>();
  private open = 0;

  constructor(
    private readonly bounds: {
      readonly total: number;
      readonly perClient: number;
      /** Finds the owner by the remote address, which is undefined if the connection is already closed. */
      readonly ownerOf: (address: string | undefined) => ConnectionOwner;
      /** Learns that a connection came for which there was no free place. */
      readonly onFull?: () => void;
    },
  ) {}

  /** Whether all places are taken. */
  get isFull(): boolean {
    return this.open >= this.bounds.total;
  }

  /** Takes in a new connection. @returns false if there is no place for it, and then it is closed */
  admit(socket: Socket): boolean {
    const { perClient, ownerOf, onFull } = this.bounds;
    const { client, isProxy } = ownerOf(socket.remoteAddress);
    const own = this.byClient.get(client) ?? new Set();
    const isOverShare = !isProxy && own.size >= perClient;
    if (this.isFull && !isOverShare) onFull?.();
    if (isOverShare || (this.isFull && !this.makeRoom(own.size, isProxy))) {
      socket.destroy();
      return false;
    }
    this.open++;
    this.byClient.set(client, own.add(socket));
    if (isProxy) this.ofProxies.add(own);
    socket.once("close", () => {
      this.open--;
      own.delete(socket);
      if (own.size > 0 || this.byClient.get(client) !== own) return;
      this.byClient.delete(client);
      this.ofProxies.delete(own);
    });
    return true;
  }

  /**
   * Closes a connection of the client with the most, unless the newcomer would then have more. It picks the connection on which the
   * fewest bytes have arrived, because that one is the least likely to be in use. Connections of proxies carry the calls of many
   * people, so they stay while there are others, and each of them may take the place of another.
   */
  private makeRoom(ownOfNewcomer: number, isProxy: boolean): boolean {
    const all = [...this.byClient.values()];
    const others = all.filter((sockets) => !this.ofProxies.has(sockets));
    let most: Set<Socket> = new Set();
    for (const sockets of others.length > 0 ? others : all) if (sockets.size > most.size) most = sockets;
    const rank = isProxy && others.length > 0 ? 0 : ownOfNewcomer + 1;
    if (most.size <= rank) return false;
    let [idlest] = most;
    for (const socket of most) if (socket.bytesRead < (idlest?.bytesRead ?? 0)) idlest = socket;
    if (idlest === undefined) return false;
    most.delete(idlest);
    idlest.destroy();
    return true;
  }
}
