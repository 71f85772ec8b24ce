import { create, type Message } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import { grpcDefinition } from "../../src/api/grpc/definition.js";
import { OtpService, VerifyResponseSchema } from "../../src/gen/otp/v1/otp_service_pb.js";
import { sayListening } from "./said.js";

/** A grpc-js server with our messages that accepts every code and does nothing else. */
const server = new Server();
const { verify } = grpcDefinition(OtpService);
if (verify === undefined) throw new Error("there is no Verify");
const handler: handleUnaryCall<unknown, Message> = (_call, callback) => {
  callback(null, create(VerifyResponseSchema, { message: "OTP is correct" }));
};
server.addService({ verify }, { verify: handler });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  sayListening({ grpcPort: port });
});
