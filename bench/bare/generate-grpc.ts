import { create, type Message } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import { grpcDefinition } from "../../src/api/grpc/definition.js";
import { GenerateResponseSchema, OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";
import { GENERATED, JOB, openQueue } from "./job.js";
import { sayListening } from "./said.js";

/** A grpc-js server with our messages whose handler only adds a job. */
const queue = openQueue();
const server = new Server();
const { generate } = grpcDefinition(OtpService);
if (generate === undefined) throw new Error("there is no Generate");
const handler: handleUnaryCall<unknown, Message> = (_call, callback) => {
  queue.add("deliver", JOB).then(() => callback(null, create(GenerateResponseSchema, GENERATED)), callback);
};
server.addService({ generate }, { generate: handler });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  sayListening({ grpcPort: port });
});
