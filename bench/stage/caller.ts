import { fromBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { GenerateResponseSchema } from "../../src/gen/otp/v1/otp_service_pb.js";
import { generateMessage, verifyMessage } from "./messages.js";
import { API_KEY } from "./stage.js";

/** A backend that calls Countersign with grpc-js. */
export class Caller {
  private readonly client: Client;
  private readonly metadata = new Metadata();

  constructor(port: number) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    this.metadata.set("authorization", `Bearer ${API_KEY}`);
  }

  /** @returns the token */
  async generate(email: string): Promise<string> {
    return fromBinary(GenerateResponseSchema, await this.call("Generate", generateMessage(email))).token;
  }

  /** @returns whether the code is correct @throws if it was not judged */
  async verify(token: string, otp: string): Promise<boolean> {
    try {
      await this.call("Verify", verifyMessage({ token, otp }));
      return true;
    } catch (error) {
      if (isStatus(error) && error.code === status.INVALID_ARGUMENT) return false;
      throw error;
    }
  }

  close(): void {
    this.client.close();
  }

  private call(rpc: string, message: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const path = `/otp.v1.OtpService/${rpc}`;
      this.client.makeUnaryRequest(path, asBuffer, asBuffer, message, this.metadata, (error, answer) => {
        if (error !== null || answer === undefined) reject(error);
        else resolve(answer);
      });
    });
  }
}

function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message);
}

function isStatus(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error;
}
